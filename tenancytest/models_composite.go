package tenancytest

import "gorm.io/gorm"

// compositeParent and the models around it: primary keys are (ID, tenant), and so are foreign keys.
type (
	compositeParent struct {
		ID       uint   `gorm:"primaryKey;autoIncrement:false"`
		TenantID string `gorm:"primaryKey;autoIncrement:false;size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		ParentData
		Boss     *compositeParent `gorm:"foreignKey:TenantID,BossID;references:TenantID,ID"`
		Country  *country
		Profile  *compositeProfile `gorm:"foreignKey:TenantID,ParentID;references:TenantID,ID"`
		Children []compositeChild  `gorm:"foreignKey:TenantID,ParentID;references:TenantID,ID"`
		Tags     []compositeTag    `gorm:"many2many:composite_parent_tags"`
	}
	compositeChild struct {
		ID       uint   `gorm:"primaryKey;autoIncrement:false"`
		TenantID string `gorm:"primaryKey;autoIncrement:false;size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		ChildData
		Parent *compositeParent `gorm:"foreignKey:TenantID,ParentID;references:TenantID,ID"`
	}
	compositeProfile struct {
		ID       uint   `gorm:"primaryKey;autoIncrement:false"`
		TenantID string `gorm:"primaryKey;autoIncrement:false;size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		ChildData
	}
	compositeTag struct {
		ID       uint   `gorm:"primaryKey;autoIncrement:false"`
		TenantID string `gorm:"primaryKey;autoIncrement:false;size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		TagData
	}
)

// compositeIntParent and the models around it: as compositeParent, with a number for a tenant and soft delete.
type (
	compositeIntParent struct {
		ID        uint  `gorm:"primaryKey;autoIncrement:false"`
		TenantID  int64 `gorm:"primaryKey;autoIncrement:false;size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		DeletedAt gorm.DeletedAt
		ParentData
		Boss     *compositeIntParent `gorm:"foreignKey:TenantID,BossID;references:TenantID,ID"`
		Country  *country
		Profile  *compositeIntProfile `gorm:"foreignKey:TenantID,ParentID;references:TenantID,ID"`
		Children []compositeIntChild  `gorm:"foreignKey:TenantID,ParentID;references:TenantID,ID"`
		Tags     []compositeIntTag    `gorm:"many2many:composite_int_parent_tags"`
	}
	compositeIntChild struct {
		ID       uint  `gorm:"primaryKey;autoIncrement:false"`
		TenantID int64 `gorm:"primaryKey;autoIncrement:false;size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		ChildData
		Parent *compositeIntParent `gorm:"foreignKey:TenantID,ParentID;references:TenantID,ID"`
	}
	compositeIntProfile struct {
		ID       uint  `gorm:"primaryKey;autoIncrement:false"`
		TenantID int64 `gorm:"primaryKey;autoIncrement:false;size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		ChildData
	}
	compositeIntTag struct {
		ID       uint  `gorm:"primaryKey;autoIncrement:false"`
		TenantID int64 `gorm:"primaryKey;autoIncrement:false;size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		TagData
	}
)
